import { constants } from 'node:http2'
import { BRIDGE_BODY_BYTES, BridgeAsked } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Routes } from '../http/http-server.ts'
import type { BridgeService } from './bridge-service.ts'

export interface BridgeRouteParts {
  readonly bridge: BridgeService
}

/** Calls of a task to a store of another gateway: the answer passes as it comes, read only as fast as the asking node takes it. */
export const bridgeRoutes =
  ({ bridge }: BridgeRouteParts): Routes =>
  async (http) => {
    http.post(
      SERVICE_PATHS.bridge,
      { schema: { hide: true, body: BridgeAsked }, config: { needs: 'node' }, bodyLimit: BRIDGE_BODY_BYTES },
      async ({ nodeId, body }, reply) => {
        if (!nodeId) throw new Fault('NODE_PROOF_INVALID')
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort(new Fault('CANCELLED')))
        const stream = await bridge.open(nodeId, body, gone.signal)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'application/octet-stream' })
        reply.raw.once('close', () => stream.close(constants.NGHTTP2_CANCEL))
        // Not ended when the link breaks: a stream without its last frame must look cut.
        stream.once('close', () => (stream.readableEnded ? undefined : reply.raw.destroy()))
        stream.pipe(reply.raw)
      },
    )
  }
