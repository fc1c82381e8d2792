import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { answer, type Route } from '../app/router.ts'
import type { KeyKeeper } from './key-keeper.ts'

/** The gateway's key goes to a node of the same gateway, over the mutual TLS of the channel, and nowhere else. */
export function keyRoutes(keys: KeyKeeper): Readonly<Record<string, Route>> {
  return {
    [NODE_PATHS.gatewayKey]: {
      doors: ['channel'],
      handle: async ({ stream }) => {
        const { key } = keys
        if (!key) throw new Fault('GATEWAY_KEY_MISSING')
        answer(stream, { privateKey: key.privateKey.reveal(), publicKey: key.publicKey })
      },
    },
  }
}
