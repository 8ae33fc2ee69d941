"""Imported by a server: at the first port that it binds, another program is quicker to listen."""

import socket

_Socket = socket.socket
_rivals: list[socket.socket] = []


class _Raced(_Socket):
    def bind(self, address):
        super().bind(address)
        if not _rivals:
            rival = _Socket(self.family, self.type)
            rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            rival.bind(address)
            rival.listen(1)
            _rivals.append(rival)


socket.socket = _Raced
