// verify_signatures.js [--live] FILE: verifies requests that parkd has signed with npm's standardwebhooks, which knows
// nothing of parkd's code. FILE is a JSON array of {about, id, timestamp (seconds), body, signature, secrets}. Each
// signature must be accepted under each of its secrets, and refused under another one, ten minutes later, and once the
// body, the id or the time has changed. With --live the time of verification is the present; without it, each row's own.
// tools/install_npm_packages installs the package. Exit code 0 if there is no fault.
"use strict";

const fs = require("fs");
const path = require("path");
const { Webhook } = require(path.join(__dirname, "../../build/npm/node_modules/standardwebhooks"));

const isLive = process.argv[2] === "--live";
const rows = JSON.parse(fs.readFileSync(process.argv[isLive ? 3 : 2], "utf8"));
const faults = [];
const present = Date.now;
const TEN_MINUTES = 600;

function accepts(secret, row, delay = 0) {
  const now = isLive ? present() : row.timestamp * 1000;
  Date.now = () => now + delay * 1000;
  const headers = {
    "webhook-id": row.id,
    "webhook-timestamp": String(row.timestamp),
    "webhook-signature": row.signature,
  };
  try {
    new Webhook(secret).verify(row.body, headers, { jsonParse: false });
    return true;
  } catch (error) {
    return false;
  }
}

for (const row of rows) {
  for (const secret of row.secrets) {
    if (!accepts(secret, row)) faults.push(`refused: ${row.about}`);
    const changes = [{ body: row.body + " " }, { id: row.id + "x" }, { timestamp: row.timestamp + 1 }];
    for (const change of changes) {
      if (accepts(secret, { ...row, ...change })) faults.push(`accepted with another ${Object.keys(change)}: ${row.about}`);
    }
    if (accepts(secret, row, TEN_MINUTES)) faults.push(`accepted after ten minutes: ${row.about}`);
  }
  if (accepts("whsec_" + "A".repeat(32), row)) faults.push(`accepted under another secret: ${row.about}`);
}
if (rows.length === 0) faults.push("there is nothing to verify");
console.log(`npm's standardwebhooks has verified ${rows.length} signatures`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
