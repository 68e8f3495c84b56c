/** The sample delivery of GoValid's webhook setup guide. Source: govalid docs, webhooks setup. */

/** The sample, byte for byte as the guide prints it. Its date is long past. */
export const AS_PRINTED = `{
"event": "qr.scanned",
"timestamp": "2025-01-29T12:00:00Z",
"webhook_id": "wh-001",
"data": {
"qr_id": "abc123",
"qr_title": "Product Certificate #001",
"scan_location": {
"country": "ID",
"city": "Jakarta"
},
"device": "mobile",
"platform": "iOS",
"is_first_scan": false,
"scan_count": 15
},
"signature": "sha256=a1b2c3d4..."
}`

/** Returns the sample with another `timestamp` and otherwise the same bytes. */
export function sentAt(time: string): string {
  return AS_PRINTED.replace('2025-01-29T12:00:00Z', time)
}

/** Returns the current time in GoValid's format: ISO 8601 in UTC, in whole seconds. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
}
