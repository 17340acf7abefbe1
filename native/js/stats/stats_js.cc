// The counters of a capture as JavaScript values. JavaScript thread.
#include <cstring>

#include "js/convert.h"

using namespace dpcap;

namespace {

const char* text_of(LaneState state) {
  switch (state) {
    case LaneState::port_gone:
      return "port gone";
    case LaneState::queue_gone:
      return "queue gone";
    case LaneState::taken:
      return "taken";
    case LaneState::process_gone:
      return "process gone";
    case LaneState::broken:
      return "broken";
    default:
      return "live";
  }
}

const char* text_of(SinkRemark remark) {
  switch (remark) {
    case SinkRemark::cut:
      return "cut";
    case SinkRemark::rate:
      return "rate";
    case SinkRemark::slow:
      return "slow";
    case SinkRemark::low:
      return "low";
    default:
      return "own";
  }
}

// What people should hear of an output that goes on: remarks, and the name of an errno.
std::vector<std::string> sink_news(const CaptureStats& stats) {
  std::vector<std::string> news;
  for (const SinkRemark remark : stats.sink_remarks) news.emplace_back(text_of(remark));
  if (stats.sink_refusal != 0) news.emplace_back(strerrorname_np(stats.sink_refusal));
  return news;
}

const char* text_of(InputEnd::How how) {
  switch (how) {
    case InputEnd::How::cut:
      return "cut";
    case InputEnd::How::damaged:
      return "damaged";
    case InputEnd::How::limit:
      return "limit";
    default:
      return "complete";
  }
}

Napi::Value from_input_end(Napi::Env env, const InputEnd& end) {
  if (end.how == InputEnd::How::going_on) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("how", text_of(end.how));
  object.Set("words", end.words);
  return object;
}

}  // namespace

Napi::Value from_capture_stats(Napi::Env env, const CaptureStats& stats) {
  Napi::Array lanes = Napi::Array::New(env, stats.lanes.size());
  for (uint32_t i = 0; i < stats.lanes.size(); i++) {
    const LaneStats& lane = stats.lanes[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("port", lane.id.port);
    object.Set("queue", lane.id.queue);
    object.Set("direction", lane.id.direction == Direction::rx ? "rx" : "tx");
    object.Set("state", text_of(lane.state));
    object.Set("accepted", from_u64(env, lane.balance.source.accepted));
    object.Set("filtered", from_u64(env, lane.balance.source.filtered));
    object.Set("nombuf", from_u64(env, lane.balance.source.nombuf));
    object.Set("ringfull", from_u64(env, lane.balance.source.ringfull));
    object.Set("contended", from_u64(env, lane.balance.source.contended));
    object.Set("unread", from_u64(env, lane.balance.source.unread));
    object.Set("calls", from_u64(env, lane.balance.source.calls));
    object.Set("fullCalls", from_u64(env, lane.balance.source.full_calls));
    object.Set("written", from_u64(env, lane.balance.written));
    object.Set("bytes", from_u64(env, lane.balance.bytes));
    object.Set("sinkdrop", from_u64(env, lane.balance.sinkdrop));
    object.Set("surplus", from_u64(env, lane.balance.surplus));
    lanes.Set(i, object);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("lanes", lanes);
  object.Set("limitReached", stats.limit_reached);
  object.Set("sinkFailure",
             stats.sink_failure == 0 ? env.Null() : Napi::String::New(env, strerrorname_np(stats.sink_failure)));
  object.Set("sinkNews", from_strings(env, sink_news(stats)));
  object.Set("fileBytes", from_u64(env, stats.file_bytes));
  object.Set("clockSteps", stats.source.clock_steps.count);
  object.Set("clockSetNs", Napi::BigInt::New(env, stats.source.clock_steps.total_ns));
  object.Set("mbufs", stats.source.mbufs);
  object.Set("mbufsFree", stats.source.mbufs_free);
  object.Set("filteringHere", stats.source.filtering_here);
  object.Set("wantsMbufs", stats.source.wants_mbufs);
  object.Set("canSettle", stats.source.can_settle);
  object.Set("pollNs", stats.source.poll_ns);
  object.Set("memory", from_u64(env, stats.source.memory));
  object.Set("smallPages", stats.source.small_pages);
  object.Set("inputEnd", from_input_end(env, stats.source.input_end));
  return object;
}

Napi::Value from_file_turns(Napi::Env env, const std::vector<FileTurn>& turns) {
  Napi::Array array = Napi::Array::New(env, turns.size());
  for (uint32_t i = 0; i < turns.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("number", turns[i].number);
    object.Set("isFinished", turns[i].is_finished);
    object.Set("bytes", from_u64(env, turns[i].bytes));
    object.Set("beginNs", from_u64(env, turns[i].begin_ns));
    array.Set(i, object);
  }
  return array;
}
