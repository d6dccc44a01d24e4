#!/usr/bin/env python3
"""tls_front.py CERTIFICATE KEY ADDR:PORT: the hub's TLS front in tests.

Listens on a free port of 127.0.0.1, which its first line tells, and passes on
what is inside to ADDR:PORT.
"""
import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(raw, context, host, port):
    try:
        near = context.wrap_socket(raw, server_side=True)
        far = socket.create_connection((host, int(port)))
    except OSError:
        raw.close()
        return
    threading.Thread(target=pump, args=(near, far), daemon=True).start()
    pump(far, near)
    near.close()
    far.close()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
host, port = sys.argv[3].split(':')
listener = socket.create_server(('127.0.0.1', int(sys.argv[4]) if len(sys.argv) > 4 else 0))
print('127.0.0.1:%d' % listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0], context, host, port), daemon=True).start()
