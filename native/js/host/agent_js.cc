// The agent inside an application: what it tells, and the source of the captures of this addon.
#include <algorithm>
#include <cerrno>
#include <memory>

#include "agent/agent_client.h"
#include "agent/agent_source.h"
#include "js/capture_source.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/host/reader_js.h"

namespace {

using namespace dpcap;

constexpr int kAnswerMs = 2000;

Napi::Object from_port(Napi::Env env, const dpcap_agent_port& port) {
  char mac[18];
  snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", port.mac[0], port.mac[1], port.mac[2], port.mac[3],
           port.mac[4], port.mac[5]);
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", port.id);
  object.Set("name", std::string(port.device, strnlen(port.device, sizeof port.device)));
  object.Set("driver", std::string(port.driver, strnlen(port.driver, sizeof port.driver)));
  object.Set("mac", mac);
  object.Set("rxQueues", port.rx_queues);
  object.Set("txQueues", port.tx_queues);
  object.Set("mtu", port.mtu);
  object.Set("linkMbps", port.link_mbps);
  return object;
}

Napi::Value from_hello(Napi::Env env, const AgentHello& hello) {
  const auto& process = hello.process;
  Napi::Array ports = Napi::Array::New(env, hello.ports.size());
  for (uint32_t i = 0; i < hello.ports.size(); i++) ports.Set(i, from_port(env, hello.ports[i]));
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", process.pid);
  object.Set("peerPid", hello.peer_pid);
  object.Set("isInjected", (process.features & DPCAP_AGENT_INJECTED) != 0);
  object.Set("canMirror", (process.features & DPCAP_AGENT_MIRRORS) != 0);
  object.Set("canTunnel", (process.features & DPCAP_AGENT_TUNNELS) != 0);
  object.Set("isPrimary", process.process_type == 0);
  object.Set("filters", (process.features & DPCAP_AGENT_COMPILES) != 0 ? "compiled" : "interpreted");
  object.Set("dpdkVersion",
             std::string(process.dpdk_version, strnlen(process.dpdk_version, sizeof process.dpdk_version)));
  object.Set("program", std::string(process.program, strnlen(process.program, sizeof process.program)));
  object.Set("ports", ports);
  return object;
}

// agentHello(path): AgentHello. Waits for the answer.
Napi::Value JS_AgentHello(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "Expected the path of an agent's socket");
  AgentClient client(info[0].As<Napi::String>());
  return from_hello(info.Env(), ask_hello(client, kAnswerMs));
}

// agentListener(path): number | undefined. The process that listens, 0 for one that is not known from here; undefined:
// nobody does. Nobody is asked anything.
Napi::Value JS_AgentListener(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) throw Napi::TypeError::New(env, "Expected the path of an agent's socket");
  try {
    return Napi::Number::New(env, AgentClient(info[0].As<Napi::String>()).peer_pid());
  } catch (const Error& error) {
    return error.err() == ECONNREFUSED ? env.Undefined() : Napi::Number::New(env, 0);
  }
}

// agentCaptures(path): AgentCapture[]. Waits for the answer.
Napi::Value JS_AgentCaptures(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) throw Napi::TypeError::New(env, "Expected the path of an agent's socket");
  AgentClient client(info[0].As<Napi::String>());
  const std::vector<dpcap_agent_status> captures = ask_status(client, kAnswerMs);
  Napi::Array array = Napi::Array::New(env, captures.size());
  for (uint32_t i = 0; i < captures.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("clientPid", captures[i].client_pid);
    object.Set("state", dpcap_agent_state_name(captures[i].state));
    object.Set("lanes", captures[i].lanes);
    object.Set("memoryBytes", static_cast<double>(captures[i].memory_bytes));
    object.Set("accepted", Napi::BigInt::New(env, captures[i].accepted));
    array.Set(i, object);
  }
  return array;
}

// The memory is shared out between processes, and the rules that lanes have.
AgentPlan to_agent_plan(const std::vector<std::string>& sockets, const CapturePlan& capture, uint64_t memory) {
  AgentPlan plan{sockets, {}};
  for (const LanePlan& lane : capture.lanes) {
    const auto is_same = [&](const AgentOrder& order) { return order.rule == lane.rule; };
    if (std::any_of(plan.orders.begin(), plan.orders.end(), is_same)) continue;
    plan.orders.push_back({lane.rule, capture.filters[lane.rule.filter], capture.file, 0});
  }
  const uint64_t shares = std::max<uint64_t>(1, sockets.size() * plan.orders.size());
  for (AgentOrder& order : plan.orders) order.memory = memory / shares;
  return plan;
}

}  // namespace

MakeSource to_source(const Napi::Object& plan, const CapturePlan& capture, uint32_t) {
  constexpr uint64_t kMostMemory = 16ull << 30;
  if (plan.Get("input").IsObject()) return to_reader_source(plan, capture);
  const Napi::Value given = plan.Get("agent");
  if (!given.IsObject()) throw wrong_type(plan.Env(), "agent", "an object");
  const Napi::Object at = given.As<Napi::Object>();
  const AgentPlan agent = to_agent_plan(texts(at, "sockets"), capture, number(at, "memory", kMostMemory));
  if (capture.threads != 1) throw wrong_type(plan.Env(), "threads", "one for an agent");
  return [agent](const Notify&) { return std::make_unique<AgentSource>(agent); };
}

void export_agent(Napi::Object exports) {
  add_function<JS_AgentHello>(exports, "agentHello");
  add_function<JS_AgentListener>(exports, "agentListener");
  add_function<JS_AgentCaptures>(exports, "agentCaptures");
}
