// Declares the parts of NestJS that the adapter uses, so that only the example and the test fixtures have to install the framework. They
// compile the adapter's declarations against the real modules.
declare module '@nestjs/common' {
  type Constructor = abstract new (...args: never[]) => unknown
  type Token = string | symbol | Constructor
  // biome-ignore lint/suspicious/noExplicitAny: as in NestJS.
  type Any = any
  export interface DynamicModule {
    module: Constructor
    global?: boolean
    imports?: Any[]
    providers?: Any[]
    exports?: Any[]
  }
  export interface MiddlewareConsumer {
    apply(...middleware: Any[]): { forRoutes(...routes: Any[]): MiddlewareConsumer }
  }
  export enum RequestMethod {
    ALL = 5,
  }
  export interface INestApplication {
    listen(port: number | string): Promise<unknown>
    getUrl(): Promise<string>
    close(): Promise<void>
  }
  export function Injectable(): (target: Constructor) => void
  export function Module(metadata: object): (target: Constructor) => void
  export function Inject(token?: Token): (target: object, key: string | symbol | undefined, index?: number) => void
}

declare module '@nestjs/core' {
  interface InstanceWrapper {
    readonly instance: unknown
    readonly isTransient: boolean
    isDependencyTreeStatic(): boolean
  }
  export class DiscoveryModule {}
  export class DiscoveryService {
    getProviders(): InstanceWrapper[]
    getControllers(): InstanceWrapper[]
  }
  export class HttpAdapterHost {
    readonly init$: { subscribe(next: () => void): unknown }
    readonly httpAdapter: {
      getType(): string
      use(
        middleware: (request: import('node:http').IncomingMessage, response: unknown, next: () => void) => void,
      ): unknown
    }
  }
}
