"""One request over HTTP/2 with prior knowledge, with exactly the header fields that are given."""

import contextlib
import socket

import h2.config
import h2.connection
import h2.events

from support.web import Response


def request(port, fields, timeout=10):
    """fields: all of them, pseudo-header fields first. None when the stream was reset."""
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection = h2.connection.H2Connection(config=config)
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=timeout)) as link:
        connection.initiate_connection()
        connection.send_headers(1, fields, end_stream=True)
        link.sendall(connection.data_to_send())
        status, headers, body = None, [], b""
        while data := link.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                    headers = [pair for pair in event.headers if not pair[0].startswith(":")]
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, h2.events.StreamReset):
                    return None
                elif isinstance(event, h2.events.StreamEnded):
                    return Response(status, headers, body)
            link.sendall(connection.data_to_send())
    raise AssertionError("the connection was closed before the answer was whole")


def get(port, host, path="/", headers=()):
    pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", path)]
    return request(port, pseudo + list(headers))
