/** Makes a gateway's recovery key on the machine of a node. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../cli/postern.js', import.meta.url))

/** `postern node recovery-key --json` as a program runs it: reads the key, types back what `type` makes of it. */
export async function recoveryKey(
  data: string,
  type: (key: string) => string = (key) => key,
): Promise<{ readonly key: string; readonly code: number | null; readonly result: string }> {
  const child = spawn(process.execPath, [MAIN, 'node', 'recovery-key', '--data', data, '--json'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes.toString()
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  const first = await lines.next()
  const { recoveryKey: key } = JSON.parse(first.done ? '{"recoveryKey":""}' : first.value) as { recoveryKey: string }
  child.stdin.end(`${type(key)}\n`)
  const last = await lines.next()
  const [code] = (await exited) as [number | null]
  return { key, code, result: last.done ? complaint : last.value }
}
