"""Contracts of the storage that capabilities stand on; engines implement these and nothing else.

At most five methods on a port and on each object that it hands out. Every engine passes the exam of its ports in
`esclusa.testing`. Errors that cross a port are those of `esclusa.kernel.errors.StorageError`, no others.

Methods that stand on the hot path return a future instead of being coroutines: no task is made for them, several can
be in the air at once, and they take effect in the order in which they were called. Cancelling the future (or the task
that awaits it) does not undo the operation: it may still happen, as with any write whose acknowledgement was lost.
"""
