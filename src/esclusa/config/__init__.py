"""The configuration: one file, what it includes, and the environment, checked whole.

Promises: settings that hold together, or every mistake at once with its file, its line and the remedy; nothing is read
at import, and no secret stands in a mistake. Needs: the settings that each capability declares. Emits: nothing.
"""
