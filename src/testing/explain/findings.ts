/**
 * What can be wrong with a delivery that does not verify: each finding by its code, in words, with its cure. No text here holds a secret,
 * a signature or a part of a body.
 */

/** What `explain` can find. */
export type FindingCode =
  | 'secret_missing'
  | 'body_parsed'
  | 'header_missing'
  | 'header_prefix'
  | 'header_algorithm'
  | 'header_digits'
  | 'header_decorated'
  | 'header_repeated'
  | 'header_malformed'
  | 'secret_decorated'
  | 'secret_encoded'
  | 'secret_other'
  | 'signed_without_signature'
  | 'signed_whole_body'
  | 'signed_data_only'
  | 'body_newline'
  | 'body_line_ends'
  | 'body_bom'
  | 'body_printed_again'
  | 'body_charset'
  | 'body_base64'
  | 'body_compressed'
  | 'body_of_other_delivery'
  | 'body_empty'
  | 'unexplained'

/** One thing that is wrong, and what to do about it. */
export interface Finding {
  /** What is wrong; each code has a row in `docs/testing.md`. */
  readonly code: FindingCode
  /** The same in one sentence for a person. */
  readonly message: string
  /** What to do. */
  readonly fix: string
  /** Which of `otherSecrets` or `otherBodies` it was, from 0. */
  readonly index?: number
}

/** The message and the cure. Whoever finds it fills in `{}`, and may add a detail at `{: }`. */
const TEXTS: Readonly<Record<FindingCode, readonly [message: string, fix: string]>> = {
  secret_missing: [
    'There is no secret to verify with{: }.',
    'Set it to the secret entered in GoValid under Account > Webhooks; most often the environment variable is not set where this runs.',
  ],
  body_parsed: [
    'The raw body is no bytes but {}: something parsed it, and the signed bytes are gone.',
    'Keep the bytes as they came from the socket: mount the handler before any body parser.',
  ],
  header_missing: [
    'There is no X-GoValid-Signature header{: }.',
    'Look whether a proxy or a framework drops or renames it, and whether the request came from GoValid at all.',
  ],
  header_prefix: [
    'The signature does not begin with exactly "sha256="{: }.',
    'Hand over the header’s value as it came. If GoValid itself sends it so, tell the maintainers of this package.',
  ],
  header_algorithm: [
    'The signature was not made with HMAC-SHA256{: }.',
    'Sign with HMAC-SHA256 of the raw body. If GoValid itself sends this, tell the maintainers of this package.',
  ],
  header_digits: [
    'The signature is not written in lower-case hex digits{: }.',
    'Write it as 64 lower-case hex digits: digest("hex") in Node, hexdigest() in Python.',
  ],
  header_decorated: [
    'Something stands around or inside the signature that is no part of it{: }.',
    'Hand over the header’s value as it came, without quotes, line breaks or blanks.',
  ],
  header_repeated: [
    'The header holds more than one value{: }.',
    'Look for a proxy that copies the header, and see that it is sent once.',
  ],
  header_malformed: [
    'The signature is not "sha256=" and 64 hex digits{: }.',
    'Look whether it was cut off or changed on its way, and hand over the whole value.',
  ],
  secret_decorated: [
    'The configured secret is not quite the one GoValid signs with{: }.',
    'Take out what was added: quotes in an env file, a newline from `echo` or a mounted file, blanks from copying.',
  ],
  secret_encoded: [
    'GoValid signs with other bytes of the secret{: }.',
    'Give the secret as a Uint8Array of those bytes, or enter a secret in GoValid that is plain text.',
  ],
  secret_other: [
    'Another secret signed this{: }.',
    'Use that secret here. While one is rotated, configure both: secret: [newSecret, oldSecret].',
  ],
  signed_without_signature: [
    'The signature was made before the body’s own "signature" member was added.',
    "Set the option signedContent: 'body-without-signature' of createReceiver.",
  ],
  signed_whole_body: [
    'The signature covers the whole body, its "signature" member included.',
    "Take out the option signedContent: 'body-without-signature'.",
  ],
  signed_data_only: [
    'The signature covers only the "data" of the body.',
    'Nothing verifies that today: tell the maintainers of this package, since it settles what GoValid signs.',
  ],
  body_newline: [
    'White space at the end of the body is not as it was signed{: }.',
    'Hand over the body as it came. Editors add a newline on saving, and `echo` does; use `printf %s` or --data-binary.',
  ],
  body_line_ends: [
    'The body’s line ends are not as they were signed{: }.',
    'Keep the file binary: git (autocrlf), editors and FTP change line ends.',
  ],
  body_bom: [
    'A byte order mark at the start of the body is not as it was signed{: }.',
    'Hand over the bytes as they came; do not decode them, and save captured bodies without a mark.',
  ],
  body_printed_again: [
    'The body was parsed and printed again: {} was signed.',
    'Verify the bytes as they came from the socket; mount the handler before any body parser, and never verify JSON.stringify(body).',
  ],
  body_charset: [
    'The body went through a wrong character set{: }.',
    'Keep the body as bytes; where it has to be text, decode and encode it as UTF-8.',
  ],
  body_base64: [
    'The body is the base64 text of what was signed.',
    'Decode it first: on AWS Lambda where isBase64Encoded is true, Buffer.from(event.body, "base64").',
  ],
  body_compressed: [
    'The body is compressed, or was{: }.',
    'Take compression of requests out of the proxy in front; GoValid signs and sends plain bytes.',
  ],
  body_of_other_delivery: [
    'This is the signature of another delivery{: }.',
    'Pair each body with its own header. Look for a variable shared between requests.',
  ],
  body_empty: [
    'The body is empty.',
    'Something read the stream before: mount the handler before any body parser. A redirect also drops the body.',
  ],
  unexplained: [
    'No reading of header, secret and body makes this signature.',
    'Either another secret signed it (compare it in GoValid under Account > Webhooks, for this very webhook), or the body was changed ' +
      'on its way, or it is not from GoValid.',
  ],
}

/** Every code, in the order of the list. */
export const FINDING_CODES = Object.keys(TEXTS) as readonly FindingCode[]

/** Makes a finding. `detail` is put where the message leaves room for it. */
export function finding(code: FindingCode, detail = '', index?: number): Finding {
  const [template, fix] = TEXTS[code]
  const message = template.replace('{}', () => detail).replace('{: }', () => (detail === '' ? '' : `: ${detail}`))
  return { code, message, fix, ...(index !== undefined && { index }) }
}
