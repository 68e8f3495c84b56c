import { toHandler } from 'govalid-webhooks/fetch'
import type { ActionFunctionArgs } from 'react-router'
import { receiver } from '../webhooks/receiver'

const handle = toHandler(receiver)

export const action = ({ request }: ActionFunctionArgs) => handle(request)

// Without a loader, React Router responds to a GET with 400 and an error page.
export const loader = action
