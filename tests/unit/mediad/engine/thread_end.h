// Ends an owner of a thread on another thread, so that an end that never comes fails the test instead of hanging it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

namespace callpark::media {

/// Destroys `owner`. False when that does not end; its thread is then left running.
template <class Owner>
bool ends(std::unique_ptr<Owner> owner) {
  std::promise<void> ended;
  auto future = ended.get_future();
  std::thread([owner = std::move(owner), ended = std::move(ended)]() mutable {
    owner.reset();
    ended.set_value();
  }).detach();
  return future.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
}

}  // namespace callpark::media
