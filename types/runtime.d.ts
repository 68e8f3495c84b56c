// Declares everything that the core may use of a runtime. Node 20+, Bun, Deno, workerd and browsers have all of it. This file isn't published.

interface TextDecoder {
  decode(input?: Uint8Array | ArrayBuffer): string
}
declare const TextDecoder: { new (label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean }): TextDecoder }

interface TextEncoder {
  encode(input: string): Uint8Array<ArrayBuffer>
}
declare const TextEncoder: { new (): TextEncoder }

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare const AbortSignal: { prototype: AbortSignal }

interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare const AbortController: { new (): AbortController }

interface ReadableStream<T = unknown> {
  readonly locked: boolean
  getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: T }>; cancel(): Promise<void> }
}
declare const ReadableStream: { prototype: ReadableStream }

interface CryptoKey {
  readonly type: string
}
declare const crypto: {
  getRandomValues<T extends Uint8Array>(array: T): T
  readonly subtle: {
    importKey(
      format: 'raw',
      key: Uint8Array<ArrayBuffer>,
      algorithm: { name: 'HMAC'; hash: 'SHA-256' },
      extractable: boolean,
      usages: readonly 'verify'[],
    ): Promise<CryptoKey>
    verify(
      algorithm: 'HMAC',
      key: CryptoKey,
      signature: Uint8Array<ArrayBuffer>,
      data: Uint8Array<ArrayBuffer>,
    ): Promise<boolean>
    digest(algorithm: 'SHA-256' | 'SHA-1', data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>
  }
}

declare function atob(base64: string): string
declare function btoa(binary: string): string
declare function setTimeout(callback: () => void, ms: number): unknown
declare function clearTimeout(timer: unknown): void
declare const console: { error(...values: unknown[]): void }

interface Headers {
  get(name: string): string | null
  forEach(visit: (value: string, name: string) => void): void
}
interface Request {
  readonly method: string
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | null
  readonly bodyUsed: boolean
  arrayBuffer(): Promise<ArrayBuffer>
}
interface Response {
  readonly status: number
}
declare const Response: {
  new (body: string | null, init: { status: number; headers: Readonly<Record<string, string>> }): Response
}
declare function fetch(
  url: string,
  init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
): Promise<{
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}>
interface URL {
  readonly href: string
  readonly origin: string
  readonly protocol: string
  readonly hostname: string
  readonly username: string
  readonly search: string
  readonly hash: string
}
declare const URL: { new (url: string, base?: string): URL }
