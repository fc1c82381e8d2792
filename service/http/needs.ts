/** What every route must say about who may call it, and what the hooks put on a request. */
import type { NodeId } from '@postern/protocol/ids.ts'
import type { Caller } from '../rights/caller.ts'
import type { Permission } from '../rights/permissions.ts'
import type { Browser } from '../tokens/credentials.ts'

/** A permission; `caller`: whoever proves who it is; `node`: the signature of a node; `none`: open to everybody. */
export type Needs = Permission | 'caller' | 'node' | 'none'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route without it does not start the server. */
    needs?: Needs
    /**
     * What the permission is about: the gateway or store of the path; `inside`: what the body names, or what is shown of a list, and the
     * service that does it asks. Left out: the whole service.
     */
    on?: 'gateway' | 'store' | 'inside'
  }
  interface FastifyRequest {
    /** Set where `needs` is a permission. */
    caller: Caller | null
    /** Set where `needs` is 'node'. */
    nodeId: NodeId | null
    /** SHA-256 of the body as it came; for the signature of a node. */
    bodyBytes: Uint8Array | null
  }
}

/** Proves who asks; implemented by people and nodes. */
export interface Doorkeeper {
  /** `authorization` is the header; a request may come from a browser that has a cookie instead. Fails with TOKEN_MISSING or TOKEN_INVALID. */
  caller(authorization: string | undefined, browser?: Browser, address?: string): Promise<Caller> | Caller
  /** Fails with NOT_ALLOWED; where the place may not be seen, as if it were unknown. `place`: "store/shop". */
  check(caller: Caller, permission: Permission, place: string): void | Promise<void>
  /**
   * Checks signature, method, path and age. Fails with NODE_PROOF_INVALID or NODE_DELETED; with TOO_MANY_TRIES at an `address` from where
   * nodes were named that there are not. Then `checkBody` checks what was sent.
   */
  node(authorization: string | undefined, method: string, path: string, address?: string): Promise<NodeProof>
}

export interface NodeProof {
  readonly nodeId: NodeId
  /** Fails with NODE_PROOF_INVALID when these are not the bytes that were signed. */
  checkBody(bytes: Uint8Array): void
}
