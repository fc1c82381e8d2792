import type { NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { LinkTransport } from './node-facts.ts'

/** What one replica hears of nodes and the others must know. `changed`: gateways or nodes were written to the database. */
export type DirectoryNews =
  | { readonly type: 'link'; readonly node: NodeId; readonly transport: LinkTransport | null }
  | { readonly type: 'beat'; readonly node: NodeId; readonly beat: Beat }
  | { readonly type: 'goodbye'; readonly node: NodeId }
  | { readonly type: 'changed' }

type LinkNews = Extract<DirectoryNews, { type: 'link' }>

/** Which node is linked to which replica, and who wants to be told. */
export class NodeLinks {
  readonly #here = new Map<NodeId, LinkTransport>()
  readonly #elsewhere = new Map<ReplicaId, Map<NodeId, LinkTransport>>()
  readonly #listeners = new Set<(news: DirectoryNews) => void>()

  onNews(listener: (news: DirectoryNews) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Something that this replica heard or did. */
  tell(news: DirectoryNews): void {
    if (news.type === 'link') put(this.#here, news)
    for (const listener of this.#listeners) listener(news)
  }

  heard(replica: ReplicaId, news: LinkNews): void {
    const links = this.#elsewhere.get(replica) ?? new Map<NodeId, LinkTransport>()
    this.#elsewhere.set(replica, links)
    put(links, news)
  }

  /** Returns the nodes that were linked to it. */
  lost(replica: ReplicaId): readonly NodeId[] {
    const nodes = [...(this.#elsewhere.get(replica)?.keys() ?? [])]
    this.#elsewhere.delete(replica)
    return nodes
  }

  here(): readonly LinkNews[] {
    return [...this.#here].map(([node, transport]) => ({ type: 'link', node, transport }))
  }

  isHere(nodeId: NodeId): boolean {
    return this.#here.has(nodeId)
  }

  of(nodeId: NodeId): LinkTransport | null {
    const here = this.#here.get(nodeId)
    if (here) return here
    for (const links of this.#elsewhere.values()) {
      const transport = links.get(nodeId)
      if (transport) return transport
    }
    return null
  }
}

function put(links: Map<NodeId, LinkTransport>, { node, transport }: LinkNews): void {
  if (transport) links.set(node, transport)
  else links.delete(node)
}
