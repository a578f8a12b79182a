"""The hub: a question goes in once, every back end concerned is asked, answers show as they come.

Promises: an accepted request reaches its final state by its deadline whatever dies, what was final stays so, a call whose
answer the log has acknowledged is not repeated, and nothing personal outlives the request's expiry. Needs: the ports
`log`, `records`, `keys`; connectors. Emits: `esclusa_hub_*`, `esclusa_pool_*`, a log line at submit, at each call's end and at final.

    hub         the public service; settings: what the configuration says of it
    in          submission, validation, inventory, admission: what may be asked; plan, submit: made durable;
                idempotency: once; cancel: taken back
    pool        consumer: who reads requests; pool: consumes them; request_partition, backlog, recovery, repetitions,
                cancellations: what it knows of them; dispatch, resend: to connectors and back; room: how much at a time
    collect     from the answers to rows
    out         results: looks, waits, follows; final: the rules of what is final; snapshot, cursor: what a look shows
    shared      stored: the formats; pack: answers that travel together; vault: encryption; topics, subscriptions, positions,
                wakeups, unreadable, backoff: the log as all of them use it
    upkeep      setup, presence, lag, purge
"""
