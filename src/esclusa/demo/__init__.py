"""The demo country: made-up citizens, the public bodies that keep files on them, and a configuration that asks them all.

Promises: the same subject is the same person in every body and at every run; at any moment some bodies answer, and some
fail in each of the ways in which back ends fail. Needs: loopback ports, nothing else. It is a user of the public
interfaces like anyone else: the bodies are plain HTTP servers in a process of their own, and the demo asks its questions
through the API, with a key.

Everybody in it is invented, and so is how each body behaves: it says nothing of the real ones.
"""
