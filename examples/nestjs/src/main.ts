/** NestJS on Express. How to run it: ../../README.md. */
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'

const app = await NestFactory.create(AppModule)
app.enableShutdownHooks() // On SIGTERM, the module waits for handlers that are still running.
await app.listen(process.env.PORT ?? 3000)
