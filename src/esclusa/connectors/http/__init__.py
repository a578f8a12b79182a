"""What connectors share whose back end is reached over HTTP: whom to trust, who we are, how a call can end."""
