"""The mails that a sandbox on this machine received."""
