"""`python -m tests.forks`: the process that forks."""

import os
import socket

from .zygote import Zygote, load

load()
Zygote(socket.socket(fileno=os.dup(0))).serve()
os._exit(0)
