/** A process full of nodes for bench/links.ts: each has its own key, the node's real link and beat, and no work. Told what to do over IPC. */
import { SmallNode, type SmallNodeKey } from '@postern/node/testing/small-node.ts'

/** What the parent sends: which nodes this process is. */
export interface ManyNodes {
  readonly url: string
  readonly nodes: readonly SmallNodeKey[]
  /** Started over so long a time. */
  readonly spreadMs: number
}

/** What this process tells each second. */
export interface ManyNodesSaid {
  readonly linked: number
  /** Whose last beat was answered. */
  readonly beating: number
  readonly byLink: number
  /** When links came up, in milliseconds since 1970, since the last report. */
  readonly linkedAt: readonly number[]
}

process.once('message', ({ url, nodes, spreadMs }: ManyNodes) => {
  const all = nodes.map((node) => new SmallNode(url, node))
  const up = new Set<SmallNode>()
  for (const [index, node] of all.entries()) setTimeout(() => void node.start().catch(() => undefined), (index / all.length) * spreadMs)
  let linkedAt: number[] = []
  setInterval(() => {
    for (const node of all) {
      if (node.linked && !up.has(node)) linkedAt.push(Date.now())
      if (node.linked) up.add(node)
      else up.delete(node)
    }
  }, 50)
  setInterval(() => {
    const count = (is: (node: SmallNode) => boolean) => all.filter(is).length
    const said: ManyNodesSaid = {
      linked: count((node) => node.linked),
      beating: count((node) => node.beating),
      byLink: count((node) => node.line.open),
      linkedAt,
    }
    linkedAt = []
    process.send?.(said)
  }, 1_000)
})
process.once('disconnect', () => process.exit())
