/** NestJS on Fastify. How to run it: ../../README.md. */
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { AppModule } from './app.module.js'

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
app.enableShutdownHooks() // On SIGTERM, the module waits for handlers that are still running.
await app.listen(process.env.PORT ?? 3000, '0.0.0.0')
