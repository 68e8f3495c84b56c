/** The Express example with handlers for the other ten events. One of them fails once. */
import { receiver } from '../express/server.ts'

receiver
  .on(['qr.created', 'qr.expired', 'qr.removed', 'qr.transferred'], ({ event, data }) => {
    console.log(`${event}: ${data.title}`)
  })
  .on('subscription.*', ({ event, data }) => {
    console.log(`${event}: plan ${data.plan}`)
  })
  .on('payment.*', ({ event, data }, { attempt }) => {
    const isLocked = data.id === 'INV-2025-002' && attempt === 1
    console.log(`${event}: ${data.id}, attempt ${attempt}${isLocked ? ', the ledger is locked' : ''}`)
    if (isLocked) throw new Error('the ledger is locked')
  })
  .on('credit.topup', ({ event, data }) => {
    console.log(`${event}: balance ${data.balance}`)
  })
  .on('institution.staff.invited', ({ event, data }) => {
    console.log(`${event}: ${Object.keys(data).join(', ')}`)
  })
