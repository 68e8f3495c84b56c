/**
 * Adapter for NestJS 11 and 12, on Express and Fastify. In: the app's requests to one path. Out: the response, written to Node's response.
 * The module handles a delivery before guards, interceptors and pipes, because the signature is its authentication. Methods of providers
 * and controllers become handlers with the decorator `@OnGoValid`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DynamicModule, Inject, type MiddlewareConsumer, Module, RequestMethod } from '@nestjs/common'
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core'
import { createReceiver, type Receiver } from '../../create-receiver.js'
import { toResponse } from '../../delivery/response.js'
import { WebhookError } from '../../errors.js'
import type { EventSchemas } from '../../events/standard-schema.js'
import type { ReceiverOptions } from '../../receiver/options.js'
import { toDelivery, writeResponse } from '../node-request.js'
import { notesOf } from './on-govalid.js'

/** The token of the receiver: `@Inject(GOVALID_RECEIVER) receiver: Receiver`, and `app.get(GOVALID_RECEIVER)` in tests. */
export const GOVALID_RECEIVER = Symbol.for('govalid-webhooks:receiver')

/** The options of the receiver, with `path`. */
export interface GoValidWebhooksOptions extends ReceiverOptions<EventSchemas, Anything> {
  /** The path of the webhook, without the app's global prefix. Default: `/webhooks/govalid`. */
  readonly path?: string | undefined
}

/** The options of `forRootAsync`. */
export interface GoValidWebhooksAsyncOptions {
  /** The path of the webhook, without the app's global prefix. Default: `/webhooks/govalid`. */
  readonly path?: string | undefined
  /** The modules that export the providers of `inject`. */
  readonly imports?: DynamicModule['imports'] | undefined
  /** The tokens of the factory's arguments. */
  readonly inject?: readonly Anything[] | undefined
  /** Returns the options of the receiver. */
  readonly useFactory: (
    ...dependencies: Anything[]
  ) => ReceiverOptions<EventSchemas, Anything> | Promise<ReceiverOptions<EventSchemas, Anything>>
}

// biome-ignore lint/suspicious/noExplicitAny: the type of a value that Nest injects isn't known here.
type Anything = any

const PATH = Symbol.for('govalid-webhooks:path')
const OPTIONS = Symbol.for('govalid-webhooks:options')
const CLOSE_MS = 20_000
const FIX =
  'The Express or Fastify instance of this app has a body parser that runs before Nest. Remove it: Nest adds its own parsers, ' +
  'which leave the webhook alone. Or keep the raw bytes in request.rawBody as a Buffer. See docs/frameworks/nestjs.md.'

/**
 * The module. It creates a receiver, serves it at one path, registers the methods that have `@OnGoValid`, and closes the receiver when
 * the app shuts down.
 *
 * @example
 * ```ts
 * import { Module } from '@nestjs/common'
 * import { GoValidWebhooksModule } from 'govalid-webhooks/nestjs'
 *
 * @Module({ imports: [GoValidWebhooksModule.forRoot({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })] })
 * export class AppModule {}
 * ```
 */
export class GoValidWebhooksModule {
  readonly #receiver: Receiver
  readonly #path: string
  readonly #discovery: DiscoveryService
  #isClosing = false

  /** Called by Nest. */
  constructor(receiver: Receiver, path: string, discovery: DiscoveryService, host: HttpAdapterHost) {
    this.#receiver = receiver
    this.#path = path
    this.#discovery = discovery
    if (host.init$ === undefined) throw tooOld()
    // Emits at once in an app, later in a testing module, and never in an application context without a server.
    host.init$.subscribe(() => {
      // Fastify runs middleware before its parsers. Nest adds Express's parsers before all middleware of modules.
      if (host.httpAdapter.getType() !== 'fastify') host.httpAdapter.use(createTypeHider(path))
    })
  }

  /** Creates the module from the options of the receiver. */
  static forRoot({ path, ...options }: GoValidWebhooksOptions): DynamicModule {
    return createModule(path, [], { provide: OPTIONS, useValue: options })
  }

  /** Creates the module with a factory, for example for a secret of `ConfigService`. */
  static forRootAsync({ path, imports = [], inject = [], useFactory }: GoValidWebhooksAsyncOptions): DynamicModule {
    return createModule(path, imports, { provide: OPTIONS, inject: [...inject], useFactory })
  }

  /** Called by Nest: adds the route. Nest applies the global prefix. */
  configure(consumer: MiddlewareConsumer): void {
    const handleNestRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      restoreType(request)
      const outcome = await this.#receiver.receive(toDelivery(request, FIX))
      // Fastify would wait 72 s for a connection that becomes idle while it closes.
      if (this.#isClosing) response.shouldKeepAlive = false
      writeResponse(request, response, toResponse(outcome))
    }
    consumer.apply(handleNestRequest).forRoutes({ path: this.#path, method: RequestMethod.ALL })
  }

  /** Called by Nest after every provider has started: registers the handlers, which may start the inbox. */
  onApplicationBootstrap(): void {
    const names = new Set<string>()
    const instances = new Set<object>()
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const instance: unknown = wrapper.instance
      const notes = notesOf(instance)
      // A provider can have several tokens.
      if (notes.size === 0 || instances.has(instance as object)) continue
      instances.add(instance as object)
      for (const [method, { pattern, name }] of notes) {
        const origin = `${(instance as object).constructor.name}.${String(method)}`
        if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) throw scoped(origin)
        const handlerName = name ?? origin
        if (names.has(handlerName)) throw duplicate(handlerName)
        names.add(handlerName)
        const callable = instance as Record<string | symbol, (event: unknown, context: unknown) => unknown>
        // The method is looked up for each event, so that a test can replace it.
        this.#receiver.on(pattern, (event, context) => callable[method]?.(event, context), { name: handlerName })
      }
    }
  }

  /** Called by Nest before the server stops. */
  onModuleDestroy(): void {
    this.#isClosing = true
  }

  /** Called by Nest after the server has stopped: waits up to 20 s for running handlers. */
  onApplicationShutdown(): Promise<void> {
    return this.#receiver.close({ timeoutMs: CLOSE_MS })
  }
}

// Decorators as calls, because the build doesn't compile decorators.
for (const [index, token] of [GOVALID_RECEIVER, PATH, DiscoveryService, HttpAdapterHost].entries()) {
  Inject(token)(GoValidWebhooksModule, undefined, index)
}
Module({})(GoValidWebhooksModule)

function createModule(
  path: string = '/webhooks/govalid',
  imports: NonNullable<DynamicModule['imports']>,
  options: NonNullable<DynamicModule['providers']>[number],
): DynamicModule {
  return {
    module: GoValidWebhooksModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      options,
      { provide: PATH, useValue: path },
      { provide: GOVALID_RECEIVER, inject: [OPTIONS], useFactory: (given: ReceiverOptions) => createReceiver(given) },
    ],
    exports: [GOVALID_RECEIVER],
  }
}

const hiddenTypes = new WeakMap<IncomingMessage, string | undefined>()

/** Hides the content type of the webhook's requests, so that no parser reads their bodies. */
function createTypeHider(path: string) {
  const ending = `/${path.replace(/^\/+|\/+$/g, '')}`.toLowerCase()
  return function hideContentType(request: IncomingMessage, _response: unknown, next: () => void): void {
    const pathname = request.url?.split('?', 1)[0]?.replace(/\/$/, '').toLowerCase()
    if (pathname?.endsWith(ending)) {
      hiddenTypes.set(request, request.headers['content-type'])
      delete request.headers['content-type']
    }
    next()
  }
}

function restoreType(request: IncomingMessage): void {
  const type = hiddenTypes.get(request)
  if (type !== undefined) request.headers['content-type'] = type
}

/** NestJS 10 and older don't announce the HTTP adapter. */
function tooOld(): WebhookError {
  const fix = 'Run: npm install @nestjs/common@latest @nestjs/core@latest. See docs/frameworks/nestjs.md.'
  return new WebhookError('option_invalid', `GoValidWebhooksModule needs NestJS 11 or newer. ${fix}`)
}

function scoped(origin: string): WebhookError {
  const fix =
    'Remove `scope` from it and from the providers that it injects, or move the handler to a provider with the default scope.'
  return new WebhookError('handler_invalid', `The class of the handler ${origin} is not a singleton. ${fix}`)
}

function duplicate(name: string): WebhookError {
  const fix =
    'If its class is a provider of several modules, export it from one module and import that module. ' +
    "Otherwise give one handler another name: @OnGoValid('qr.scanned', { name: 'count-scans' })."
  return new WebhookError('handler_name_duplicate', `Two handlers have the name ${name}. ${fix}`)
}
