// Reads what is said of a tunnel in a message. Pure functions.
#pragma once
#include <stdbool.h>

#include "agent/library/tunnel/own_tunnels.h"
#include "agent/wire/tunnel.h"

// Whether it makes sense: numbers within their ranges, addresses of one host each.
bool tunnel_order_is_sane(const struct dpcap_mirror_tunnel *order);
struct own_tunnel tunnel_of_order(const struct dpcap_mirror_tunnel *order);
