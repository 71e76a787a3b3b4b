// The ports of the park service, as one value that its objects are constructed from.
#pragma once

#include "base/event_loop.h"
#include "base/metrics.h"
#include "parkd/ports/billing.h"
#include "parkd/ports/calls.h"
#include "parkd/ports/conversations.h"
#include "parkd/ports/events.h"
#include "parkd/ports/flow_store.h"
#include "parkd/ports/media.h"
#include "parkd/ports/menu_store.h"
#include "parkd/ports/messages.h"
#include "parkd/ports/referrals.h"
#include "parkd/ports/store.h"

namespace callpark {

/// All must outlive every object that has a copy.
struct ServicePorts {
  EventLoop& loop;
  Store& store;
  FlowStore& flows;
  MenuStore& menus;
  Events& events;
  Messages& messages;
  Media& media;
  Calls& calls;
  Conversations& conversations;
  Referrals& referrals;
  Billing& billing;
  Metrics& metrics;
};

}  // namespace callpark
