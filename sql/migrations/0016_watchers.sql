-- How many lamps an extension and a tenant watch is counted with each new subscription.
CREATE INDEX watchers ON active_watchers (watcher_domain, watcher_username);
