/**
 * The main job on sample data: a service, a gateway of two nodes, a private database and a folder; copies, a live query, a killed
 * node, and the proof that nothing was lost.
 *
 *   npm run demo             stays up until Ctrl-C
 *   npm run demo -- --once   ends by itself: 0 when every claim held
 *
 * Everything lies in `.demo` of the clone (--folder DIR puts it elsewhere), which is emptied at the start.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cluster } from './demo/cluster.ts'
import { leaveFolder, takeFolder } from './demo/folder.ts'
import { makeAccount, nextSteps } from './demo/next.ts'
import { bold, dim, green, heading, red, say } from './demo/screen.ts'
import { Story } from './demo/story.ts'
import { ROOT } from './tools/steps.ts'

const { once, folder } = asked()
const began = performance.now()

/** Resolves at the first Ctrl-C; the second ends the process at once. */
const interrupted = new Promise<'interrupted'>((resolve) => {
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (asked) process.exit(130)
      asked = true
      resolve('interrupted')
    })
})

process.exitCode = await main()
// A Ctrl-C in the middle leaves requests and timers behind that nobody waits for any more.
process.exit()

function asked(): { readonly once: boolean; readonly folder: string } {
  try {
    const options = { once: { type: 'boolean', default: false }, folder: { type: 'string', default: join(ROOT, '.demo') } } as const
    return parseArgs({ options }).values
  } catch (cause) {
    console.error(`error: ${reason(cause)}\nremedy: npm run demo -- [--once] [--folder DIR]`)
    process.exit(2)
  }
}

async function main(): Promise<number> {
  heading('Postern: query and copy data in private networks without opening a port')
  try {
    await takeFolder(folder)
  } catch (cause) {
    console.error(`\n${red('✗')} ${reason(cause)}`)
    return 1
  }
  const cluster = new Cluster(folder)
  try {
    const story = new Story(cluster)
    const told = await Promise.race([story.tell(), interrupted])
    if (told === 'interrupted') return 130
    const { broken } = story
    heading(broken.length === 0 ? green('All claims held.') : red(`${broken.length} claims did not hold:`))
    for (const claim of broken) say(`${red('✗')} ${claim}`)
    say(dim(`after ${((performance.now() - began) / 1_000).toFixed(0)} s`))
    if (once || broken.length > 0) return broken.length === 0 ? 0 : 1
    await showNext(cluster)
    await interrupted
    return 0
  } catch (cause) {
    console.error(`\n${red('✗')} ${reason(cause)}`)
    console.error(`  Logs: ${join(folder, 'logs')}`)
    return 1
  } finally {
    console.log(dim('\nStopping nodes, service and databases …'))
    await cluster[Symbol.asyncDispose]()
    await leaveFolder(folder)
    console.log(dim('Nothing is left running.'))
  }
}

async function showNext(cluster: Cluster): Promise<void> {
  const { url, tokenFile, lake } = cluster
  for (const [title, lines] of nextSteps({ url, tokenFile, lake, account: await makeAccount(cluster.client) })) {
    heading(title)
    for (const line of lines) say(line)
  }
  say(`\n${bold('Ctrl-C')} ends everything.`)
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
