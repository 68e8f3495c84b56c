/**
 * Lists what can be wrong with a delivery that doesn't verify: each finding has a code, a message and a fix. No text here contains a
 * secret, a signature or a part of a body.
 */

/** The findings of `explain`. */
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

/** One problem and its fix. */
export interface Finding {
  /** The code of the problem. Each code has a row in `docs/reference/testing.md`. */
  readonly code: FindingCode
  /** The problem, in words. */
  readonly message: string
  /** The fix, in the imperative. */
  readonly fix: string
  /** The index in `otherSecrets` or `otherBodies`, starting at 0. */
  readonly index?: number
}

/** The message and fix of each code. `finding` inserts the detail at `{}`, or after a colon at `{: }` if there is one. */
const TEXTS: Readonly<Record<FindingCode, readonly [message: string, fix: string]>> = {
  secret_missing: [
    'No secret is configured{: }.',
    "Set the secret to the value entered in GoValid under Account > Webhooks. Most often, the environment variable isn't set where this runs.",
  ],
  body_parsed: [
    'Expected the raw body as bytes, but got {}: something parsed it, and the signed bytes are lost.',
    'Mount the handler before any body parser, and keep the bytes as they came from the socket.',
  ],
  header_missing: [
    'The X-GoValid-Signature header is missing{: }.',
    'Check whether a proxy or a framework drops or renames the header, and whether the request came from GoValid at all.',
  ],
  header_prefix: [
    'The signature doesn\'t start with exactly "sha256="{: }.',
    'Pass the header value unchanged. If GoValid itself sends this prefix, report it to the maintainers of this package.',
  ],
  header_algorithm: [
    "The signature wasn't made with HMAC-SHA256{: }.",
    'Sign the raw body with HMAC-SHA256. If GoValid itself sends this signature, report it to the maintainers of this package.',
  ],
  header_digits: [
    "The signature isn't written in lowercase hex digits{: }.",
    'Write it as 64 lowercase hex digits: digest("hex") in Node.js, hexdigest() in Python.',
  ],
  header_decorated: [
    'The header value has extra characters around or inside the signature{: }.',
    'Pass the header value unchanged, without quotes, line breaks or spaces.',
  ],
  header_repeated: [
    'The header has more than one value{: }.',
    'Find the proxy that copies the header, and make sure that the header is sent once.',
  ],
  header_malformed: [
    'The signature isn\'t "sha256=" followed by 64 hex digits{: }.',
    'Pass the complete header value. If it arrives like this, find the proxy or framework that cuts or changes it.',
  ],
  secret_decorated: [
    "The configured secret isn't exactly the secret that GoValid signs with{: }.",
    'Make both secrets equal. Common differences are quotes in an env file, a newline from `echo` or a mounted file, and copied spaces.',
  ],
  secret_encoded: [
    'GoValid signs with a different form of the secret{: }.',
    'Pass those bytes as a Uint8Array, or enter a plain-text secret in GoValid.',
  ],
  secret_other: [
    'Another secret signed this delivery{: }.',
    'Use that secret here. During a rotation, configure both: secret: [newSecret, oldSecret].',
  ],
  signed_without_signature: [
    'The signature was made before the "signature" field was added to the body.',
    "Set the option signedContent: 'body-without-signature' of createReceiver.",
  ],
  signed_whole_body: [
    'The signature covers the whole body, including its "signature" field.',
    "Remove the option signedContent: 'body-without-signature'.",
  ],
  signed_data_only: [
    'The signature covers only the "data" field of the body.',
    'Report this delivery to the maintainers of this package. It shows what GoValid signs, and no option verifies it yet.',
  ],
  body_newline: [
    'The white space at the end of the body differs from the signed body{: }.',
    'Pass the body unchanged. Editors and `echo` add a newline; use `printf %s` and --data-binary instead.',
  ],
  body_line_ends: [
    'The line breaks of the body differ from the signed body{: }.',
    'Treat the captured body as a binary file. git (autocrlf), editors and FTP change line breaks.',
  ],
  body_bom: [
    'The byte order mark at the start of the body differs from the signed body{: }.',
    'Pass the bytes without decoding them, and save captured bodies without a byte order mark.',
  ],
  body_printed_again: [
    'The body was parsed and serialized again. The signed body was {}.',
    'Mount the handler before any body parser, and verify the bytes as they came from the socket. Never verify JSON.stringify(body).',
  ],
  body_charset: [
    'The body was converted with the wrong character set{: }.',
    'Keep the body as bytes. If it must be text, decode and encode it as UTF-8.',
  ],
  body_base64: [
    'The body is the base64 text of the signed bytes.',
    'Decode it first. On AWS Lambda, use Buffer.from(event.body, "base64") if isBase64Encoded is true.',
  ],
  body_compressed: [
    'The body is or was compressed{: }.',
    'Turn off request compression in the proxy in front of the receiver. GoValid signs and sends uncompressed bytes.',
  ],
  body_of_other_delivery: [
    'The signature belongs to another delivery{: }.',
    'Pair each body with its own header. Look for a variable that requests share.',
  ],
  body_empty: [
    'The body is empty.',
    'Mount the handler before any body parser or other code that reads the stream. Avoid redirects, because they drop the body.',
  ],
  unexplained: [
    'No known mistake in the header, the secret or the body explains this signature.',
    'Compare the secret in GoValid under Account > Webhooks, for exactly this webhook. If it is the same, the body was changed on its way, ' +
      'or the request did not come from GoValid.',
  ],
}

/** Every code, in the order of `docs/reference/testing.md`. */
export const FINDING_CODES = Object.keys(TEXTS) as readonly FindingCode[]

/** Creates a finding. The message includes `detail`, if it has a place for one. */
export function finding(code: FindingCode, detail = '', index?: number): Finding {
  const [template, fix] = TEXTS[code]
  const message = template.replace('{}', () => detail).replace('{: }', () => (detail === '' ? '' : `: ${detail}`))
  return { code, message, fix, ...(index !== undefined && { index }) }
}
