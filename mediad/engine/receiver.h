// The thread that receives: one epoll over the sockets of every session.
#pragma once

#include <memory>
#include <thread>
#include <unordered_map>

#include "mediad/engine/incoming_stream.h"
#include "mediad/engine/thread_inbox.h"

namespace callpark::media {

class Receiver {
 public:
  /// Throws std::system_error if the kernel gives no epoll descriptor.
  Receiver();
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  void add(std::shared_ptr<IncomingStream> stream);
  /// The stream's port may be closed at once; the stream itself lives until the thread has released it.
  void remove(std::shared_ptr<IncomingStream> stream);
  /// Runs `change` on the stream between two packets.
  void change(std::shared_ptr<IncomingStream> stream, std::function<void(IncomingStream&)> change);

 private:
  void run();
  void watch(int fd, std::uint64_t tag);
  void handle(std::uint64_t tag, MonotonicTime now);
  void look_after_keys(MonotonicTime now);

  ThreadInbox inbox_;
  int epoll_fd_;
  // The members below belong to the thread. A late event of a removed stream finds no entry here.
  using Streams = std::unordered_map<std::uint64_t, std::shared_ptr<IncomingStream>>;  // by tag
  Streams streams_;
  Streams with_key_pressed_;
  std::thread thread_;
};

}  // namespace callpark::media
