"""The part of `curl` that the documentation uses, for machines without it. An error ends with exit code 22."""

import base64
import sys
import urllib.error
import urllib.request


def main(arguments: list[str]) -> int:
    method, body, headers, url = None, None, {"Content-Type": "application/x-www-form-urlencoded"}, ""
    rest = iter(arguments)
    for word in rest:
        if word in ("-d", "--data-binary"):
            body = next(rest).encode()
        elif word == "-X":
            method = next(rest)
        elif word == "-u":
            headers["Authorization"] = f"Basic {base64.b64encode(next(rest).encode()).decode()}"
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word != "-sS":
            url = word
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as error:
        print(f"{method or 'GET or POST'} {url}: {error.code} {error.read().decode()}", file=sys.stderr)
        return 22
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
