# Runs the function that GoValid documents for Python. Reads JSON lines of [payload, signature, secret] and writes 1 (accepted) or 0 for
# each. An empty line flushes the output. An exception counts as a refusal, because the delivery would not have been processed.
#
# Source: govalid docs, webhooks setup, "Python Example".
import hashlib
import hmac
import json
import sys


def verify_webhook(payload, signature, secret):
    expected = hmac.new(
        secret.encode('utf-8'),
        payload.encode('utf-8'),
        hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)


def accepts(triple):
    try:
        return verify_webhook(*triple)
    except Exception:
        return False


for line in sys.stdin:
    if line == '\n':
        sys.stdout.flush()
    else:
        sys.stdout.write('1\n' if accepts(json.loads(line)) else '0\n')
