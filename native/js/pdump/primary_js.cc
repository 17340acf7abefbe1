// The functions for a primary: attach, facts, alignOps, owners, and those that `recover` needs.
#include <atomic>
#include <utility>

#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/promise.h"
#include "pdump/client.h"
#include "pdump/forwarding.h"
#include "pdump/memory/shared_pieces.h"
#include "pdump/owner_record.h"
#include "primary/eal.h"
#include "primary/mempool_ops.h"
#include "primary/ports.h"
#include "primary/release.h"

namespace {

using namespace dpcap;

std::atomic<bool> is_recovery_abandoned{false};

std::string argument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsString()) throw Napi::TypeError::New(info.Env(), "Expected a string");
  return info[index].As<Napi::String>();
}

Napi::Value done(Napi::Env env, const bool&) { return env.Undefined(); }

// attach(filePrefix, isLean): Promise<void>. From here on this process answers what the primary passes on, where the
// release does so: until it does, each request that another engine makes takes the primary 5 s.
Napi::Value JS_Attach(const Napi::CallbackInfo& info) {
  const AttachOptions options{argument(info, 0), info[1].ToBoolean()};
  return PromiseWorker<bool>::run(
      info.Env(),
      [options] {
        attach(options);
        if (running_release().forwards_requests) answer_forwarded_requests();
        return true;
      },
      done);
}

// detach(): Promise<void>
Napi::Value JS_Detach(const Napi::CallbackInfo& info) {
  return PromiseWorker<bool>::run(
      info.Env(),
      [] {
        detach();
        return true;
      },
      done);
}

Napi::Value from_port(Napi::Env env, const Port& port) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", port.id);
  object.Set("name", port.name);
  object.Set("rxQueues", port.rx_queues);
  object.Set("txQueues", port.tx_queues);
  return object;
}

Napi::Value from_pool(Napi::Env env, const PoolFacts& pool) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", pool.name);
  object.Set("opsIndex", pool.ops_index);
  object.Set("flags", pool.flags);
  object.Set("isRing", pool.is_ring);
  object.Set("prodSync", pool.prod_sync);
  object.Set("consSync", pool.cons_sync);
  return object;
}

Napi::Value from_owner(Napi::Env env, const OwnerFacts& owner) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", owner.name);
  object.Set("pid", owner.process.pid);
  object.Set("running", owner.running);
  object.Set("startedAtNs", from_u64(env, owner.started_at_ns));
  object.Set("purpose", owner.purpose);
  Napi::Array lanes = Napi::Array::New(env, owner.lanes.size());
  for (uint32_t i = 0; i < owner.lanes.size(); i++) {
    Napi::Object lane = Napi::Object::New(env);
    const LaneId& held = owner.lanes[i].id;
    lane.Set("device", held.device);
    lane.Set("port", held.port);
    lane.Set("queue", held.queue);
    lane.Set("direction", held.direction == Direction::rx ? "rx" : "tx");
    lane.Set("live", owner.lanes[i].state != CallbackState::disabled);
    lanes.Set(i, lane);
  }
  object.Set("lanes", lanes);
  return object;
}

Napi::Value from_heap(Napi::Env env, const HeapRoom& room) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("freeBytes", static_cast<double>(room.free_bytes));
  object.Set("greatestBytes", static_cast<double>(room.greatest_bytes));
  object.Set("totalBytes", static_cast<double>(room.total_bytes));
  object.Set("pageBytes", static_cast<double>(room.page_bytes));
  return object;
}

template <typename T>
Napi::Array from_list(Napi::Env env, const std::vector<T>& list, Napi::Value (*convert)(Napi::Env, const T&)) {
  Napi::Array array = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); i++) array.Set(i, convert(env, list[i]));
  return array;
}

// What the primary's shared memory says at one moment.
struct Facts {
  std::vector<Port> ports;
  std::vector<PoolFacts> pools;
  std::vector<std::string> own_ops;
  std::vector<OwnerFacts> owners;
  bool is_pdump_ready;
  HeapRoom heap;
  std::string log;
};

Napi::Value from_facts(Napi::Env env, const Facts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ports", from_list(env, facts.ports, from_port));
  object.Set("pools", from_list(env, facts.pools, from_pool));
  object.Set("ownOps", from_strings(env, facts.own_ops));
  object.Set("owners", from_list(env, facts.owners, from_owner));
  object.Set("pdumpReady", facts.is_pdump_ready);
  object.Set("heap", from_heap(env, facts.heap));
  object.Set("log", facts.log);
  return object;
}

// facts(): Promise<AttachedFacts>. It takes locks of EAL, so it does not run on the JavaScript thread.
Napi::Value JS_Facts(const Napi::CallbackInfo& info) {
  return PromiseWorker<Facts>::run(
      info.Env(),
      [] {
        refuse_other_limits();
        std::vector<PoolFacts> pools = list_pools();
        refuse_other_caches(pools);
        return Facts{list_ports(),  std::move(pools), own_ops_table(), list_owners(),
                     pdump_ready(), heap_room(),      take_eal_log()};
      },
      from_facts);
}

// alignOps(names): permutes this process's table of mempool handlers.
Napi::Value JS_AlignOps(const Napi::CallbackInfo& info) {
  const std::vector<std::string> order = to_strings(info[0]);
  align_ops_table(order);
  return info.Env().Undefined();
}

// disableOwner(name): Promise<string[]>, the lanes of a dead capture that are not certain to be off.
Napi::Value JS_DisableOwner(const Napi::CallbackInfo& info) {
  const std::string name = argument(info, 0);
  return PromiseWorker<std::vector<std::string>>::run(
      info.Env(), [name] { return disable_owner(name, disable_timeout_ms()); }, from_strings);
}

// freeOwner(name): Promise<void>. The primary must be quiescent.
Napi::Value JS_FreeOwner(const Napi::CallbackInfo& info) {
  const std::string name = argument(info, 0);
  return PromiseWorker<bool>::run(
      info.Env(),
      [name] {
        free_owner(name, is_recovery_abandoned);
        return true;
      },
      done);
}

// abandonRecovery(): freeOwner() ends at its next piece of memory.
Napi::Value JS_AbandonRecovery(const Napi::CallbackInfo& info) {
  is_recovery_abandoned = true;
  return info.Env().Undefined();
}

// primaryAnswers(timeoutMs): Promise<boolean>
Napi::Value JS_PrimaryAnswers(const Napi::CallbackInfo& info) {
  const int timeout_ms = info[0].As<Napi::Number>();
  return PromiseWorker<bool>::run(
      info.Env(), [timeout_ms] { return primary_answers(timeout_ms); },
      [](Napi::Env env, const bool& answers) { return Napi::Boolean::New(env, answers); });
}

// answersPdump(socketPath, timeoutMs): Promise<boolean>
Napi::Value JS_AnswersPdump(const Napi::CallbackInfo& info) {
  const std::string path = argument(info, 0);
  const int timeout_ms = info[1].As<Napi::Number>();
  return PromiseWorker<bool>::run(
      info.Env(), [path, timeout_ms] { return answers_pdump(path, timeout_ms); },
      [](Napi::Env env, const bool& answers) { return Napi::Boolean::New(env, answers); });
}

// expectDpvs(): call this before the first request to a DPVS.
Napi::Value JS_ExpectDpvs(const Napi::CallbackInfo& info) {
  expect_dpvs_layout();
  return info.Env().Undefined();
}

}  // namespace

void export_primary(Napi::Object exports) {
  add_function<JS_Attach>(exports, "attach");
  add_function<JS_Detach>(exports, "detach");
  add_function<JS_Facts>(exports, "facts");
  add_function<JS_AlignOps>(exports, "alignOps");
  add_function<JS_ExpectDpvs>(exports, "expectDpvs");
  add_function<JS_AbandonRecovery>(exports, "abandonRecovery");
  add_function<JS_PrimaryAnswers>(exports, "primaryAnswers");
  add_function<JS_AnswersPdump>(exports, "answersPdump");
  add_function<JS_DisableOwner>(exports, "disableOwner");
  add_function<JS_FreeOwner>(exports, "freeOwner");
}
