import { notifications } from '@mantine/notifications'
import { Fault } from '@postern/protocol/fault.ts'
import { inPortalWords } from './portal-words.ts'

/** Of what was done by a button that has no place for it. */
export function notifyFault(cause: unknown): void {
  const { message, remedy } = Fault.from(cause)
  notifications.show({ color: 'red', title: message, message: inPortalWords(remedy) })
}
