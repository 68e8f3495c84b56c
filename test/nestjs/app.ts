// An app with the module, as a user would write it. The environment selects the platform and the options. It runs as ES modules with Nest 12
// and as CommonJS with Nest 11, so it has no top-level await.
import 'reflect-metadata'
import {
  Body,
  type CanActivate,
  Controller,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Post,
  Scope,
} from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import type { EventOf, HandlerContext, MatchedEventType, Receiver } from 'govalid-webhooks'
import { GOVALID_RECEIVER, GoValidWebhooksModule, OnGoValid } from 'govalid-webhooks/nestjs'

const { VARIANT = '', PLATFORM = 'express', PORT = '0', SECRET = '' } = process.env
const has = (word: string) => VARIANT.split(' ').includes(word)

/** A dependency of the handlers. */
@Injectable()
class Printer {
  print(line: string): void {
    console.log(line)
  }
}

@Injectable()
class ScanService implements OnApplicationShutdown {
  constructor(
    @Inject(Printer) private readonly printer: Printer,
    @Inject(GOVALID_RECEIVER) private readonly receiver: Receiver,
  ) {}

  @OnGoValid('qr.scanned')
  countScan(event: EventOf<'qr.scanned'>, context: HandlerContext): void {
    this.printer.print(`scanned ${event.data.qr_id} attempt ${context.attempt}`)
  }

  @OnGoValid(['qr.created', 'qr.removed'], { name: 'audit' })
  async audit(event: EventOf<'qr.created' | 'qr.removed'>): Promise<void> {
    this.printer.print(`audit ${event.event}`)
  }

  @OnGoValid('subscription.*')
  bill(event: EventOf<MatchedEventType<'subscription.*'>>): void {
    this.printer.print(`bill ${event.event}`)
  }

  @OnGoValid('qr.expired')
  async slow(event: EventOf<'qr.expired'>): Promise<void> {
    this.printer.print(`slow ${String(event.data['qr_id'])}`)
    await new Promise((resolve) => setTimeout(resolve, 6000))
    this.printer.print('slow handler ended')
  }

  onApplicationShutdown(): void {
    this.printer.print(`handles scans: ${this.receiver.handles('qr.scanned')}`)
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedService {
  @OnGoValid('qr.scanned')
  never(): void {}
}

@Injectable()
class Twin {
  @OnGoValid('qr.transferred')
  once(): void {}
}

@Module({ providers: [Twin] })
class OtherModule {}

@Controller()
class RestController {
  constructor(@Inject(Printer) private readonly printer: Printer) {}

  @Get('health')
  health(): string {
    return 'ok'
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return body
  }

  @OnGoValid('payment.completed', { name: 'on-controller' })
  paid(): void {
    this.printer.print('paid')
  }
}

/** Refuses every request, as the JWT guard of an app does. */
class RefusingGuard implements CanActivate {
  canActivate(): boolean {
    return false
  }
}

const webhooks = has('async')
  ? GoValidWebhooksModule.forRootAsync({
      path: 'webhooks/govalid/',
      inject: ['SECRET'],
      imports: [{ module: class Config {}, providers: [{ provide: 'SECRET', useValue: SECRET }], exports: ['SECRET'] }],
      useFactory: async (secret: string) => ({ secret, onError: () => {} }),
    })
  : GoValidWebhooksModule.forRoot({
      secret: SECRET,
      onError: ({ code, message }) => console.log(`${code}: ${message}`),
    })

@Module({
  imports: [webhooks, ...(has('twins') ? [OtherModule] : [])],
  controllers: [RestController],
  providers: [
    Printer,
    ScanService,
    { provide: 'alias', useExisting: ScanService },
    { provide: 'plain', useValue: null },
    ...(has('scoped') ? [ScopedService] : []),
    ...(has('twins') ? [Twin] : []),
    ...(has('guard') ? [{ provide: APP_GUARD, useClass: RefusingGuard }] : []),
  ],
})
class AppModule {}

async function create(): Promise<INestApplication> {
  const adapter = PLATFORM === 'fastify' ? new FastifyAdapter() : new ExpressAdapter()
  const options = { rawBody: has('raw'), logger: ['error' as const], abortOnError: false }
  if (has('context')) {
    const context = await NestFactory.createApplicationContext(AppModule, options)
    const receiver = context.get<Receiver>(GOVALID_RECEIVER)
    console.log(`context handles scans: ${receiver.handles('qr.scanned')}`)
    await context.close()
    process.exit(0)
  }
  if (!has('e2e')) return NestFactory.create(AppModule, adapter as never, options)
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile()
  return testing.createNestApplication(adapter as never, options)
}

async function main(): Promise<void> {
  const app = await create()
  if (has('prefix')) app.setGlobalPrefix('api', { exclude: ['health'] })
  if (has('versions')) app.enableVersioning()
  app.enableShutdownHooks()
  await app.listen(Number(PORT), '127.0.0.1')
  console.log(`listening on ${await app.getUrl()}`)
}

main().catch((error: Error) => {
  console.log(`failed: ${error.message}`)
  process.exit(1)
})
