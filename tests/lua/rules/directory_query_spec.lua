local directory_query = require("rules.directory_query")

describe("directory_query.of", function()
  it("asks for a page of one tenant, and no text of it is part of the statement", function()
    local query = directory_query.of("number", "demo.callpark", "10'1")
    assert.is_truthy(query:find("_latin1 X'64656d6f2e63616c6c7061726b'", 1, true))
    assert.is_truthy(query:find("n.number > _latin1 X'31302731' ORDER BY place LIMIT 500", 1, true))
  end)

  it("F6 asks whether a menu or an announcement is enabled", function()
    local query = directory_query.of("number", "demo.callpark", "")
    for _, text in ipairs({ "m.enabled, a.enabled", "JOIN ivr_menus m", "JOIN announcements a" }) do
      assert.is_truthy(query:find(text, 1, true), text)
    end
  end)

  it("has a query for every kind", function()
    for _, kind in ipairs(directory_query.kKinds) do
      local query = directory_query.of(kind, "demo.callpark", "")
      assert.is_truthy(query:find("X'64656d6f2e63616c6c7061726b'", 1, true), kind)
    end
    for _, kind in ipairs(directory_query.kKindsOfAllTenants) do
      assert.is_truthy(directory_query.of(kind, "", ""):find("^SELECT"), kind)
    end
  end)

  it("asks for the revisions in pages too", function()
    assert.is_truthy(directory_query.revisions("a"):find("tenant > _latin1 X'61' ORDER BY tenant LIMIT 500", 1, true))
  end)

  it("knows all tenants and the trunks when the table of revisions is empty", function()
    local query = directory_query.revisions("")
    assert.is_truthy(query:find("SELECT '*' AS tenant UNION SELECT tenant FROM tenants", 1, true))
    assert.is_truthy(query:find("COALESCE(r.revision, 0)", 1, true))
  end)
end)
