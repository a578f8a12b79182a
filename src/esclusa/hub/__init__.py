"""The hub: a question goes in once, every back end concerned is asked, answers show as they come.

Promises: an accepted request reaches its final state by its deadline whatever dies, what was final stays so, a call whose
answer the log has acknowledged is not repeated, and nothing personal outlives the request's expiry. Needs: the ports
`log`, `records`, `keys`; connectors. Emits: `esclusa_hub_*`, a log line at submit, at each call's end and at final.

    hub         the public service; settings: what the configuration says of it
    in          submission, validation, inventory, admission: what may be asked; submit: made durable
    pool        pool: consumes requests; request_partition, recovery: what it knows of each; dispatch: to connectors and back
    collect     from the answers to rows
    out         results: looks, waits, follows; final: the rules of what is final; snapshot, cursor: what a look shows
    shared      stored: the formats; vault: encryption; topics, positions, broadcast, wakeups: the log as all of them use it
    upkeep      presence, purge
"""
