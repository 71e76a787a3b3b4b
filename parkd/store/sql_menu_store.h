// The MenuStore port on MariaDB. Its statements are those of the store of parked calls, so that what follows a
// hand-over is executed after it.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/event_loop.h"
#include "parkd/ports/menu_store.h"
#include "parkd/store/sql_store.h"

namespace callpark {

class SqlMenuStore final : public MenuStore {
 public:
  /// Loop's thread only. The loop and the store must outlive this; and between the ends of the two stores the loop does
  /// not run.
  SqlMenuStore(EventLoop& loop, SqlStore& parked_calls);

  void find_place(std::string tenant, std::string extension, std::string number,
                  Answer<Result<std::optional<MenuPlace>, StoreUnavailable>> answer) override;
  void resolve(std::string tenant, std::string extension, std::string destination, bool is_entered,
               Answer<Result<FoundDestination, StoreUnavailable>> answer) override;
  void write(MenuCallRow row) override;
  void claim(MenuCallRow row, Answer<Result<void, ClaimFailure>> answer) override;
  void remove(ParkId id, menu::EndedBy by, WallTime at) override;
  void hand_over(ParkedCallRow row) override;
  void load(Answer<Result<std::vector<MenuCallRow>, StoreUnavailable>> answer) override;

 private:
  EventLoop& loop_;
  SqlStore& parked_calls_;
  CallStatements& statements_;
  const RowOwner& owner_;
  /// The rows that this store has inserted or loaded: a row that another process has removed since is not inserted
  /// again.
  std::unordered_set<ParkId> rows_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace callpark
