import { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const BACKSPACE = /[\b\u007f]/
const SECRET_CHARACTERS = 65_536

/** Reads lines of stdin that must not be seen: typed without echo, or piped in, one line a secret. */
export class SecretReader {
  readonly #shell: Pick<Shell, 'stdin' | 'stderr' | 'signal'>
  #lines: AsyncIterator<string> | undefined

  constructor(shell: Pick<Shell, 'stdin' | 'stderr' | 'signal'>) {
    this.#shell = shell
  }

  async ask(what: string): Promise<string> {
    const { stdin } = this.#shell
    const answer = stdin.isTTY ? await this.#typed(what) : await this.#piped()
    if (answer === undefined) throw new Fault('INPUT_INVALID', { at: `stdin ended before ${what} was given.` })
    return answer
  }

  async #piped(): Promise<string | undefined> {
    this.#lines ??= linesOf(this.#shell.stdin)
    const { value, done } = await this.#lines.next()
    return done ? undefined : value
  }

  async #typed(what: string): Promise<string | undefined> {
    const { stdin, stderr } = this.#shell
    stderr.write(`${what}: `)
    stdin.setRawMode?.(true)
    stdin.setEncoding('utf8')
    try {
      let typed = ''
      for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
        for (const key of chunk) {
          if (key === CTRL_C) throw new Fault('CANCELLED')
          if (key === '\r' || key === '\n' || key === CTRL_D) return typed
          typed = BACKSPACE.test(key) ? typed.slice(0, -1) : typed + key
        }
      }
      return undefined
    } finally {
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
    }
  }
}

async function* linesOf(stdin: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let buffered = ''
  for await (const chunk of stdin) {
    buffered += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (buffered.length > SECRET_CHARACTERS) throw new Fault('INPUT_INVALID', { at: 'A secret on stdin is longer than 65,536 characters.' })
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      yield buffered.slice(0, end).replace(/\r$/, '')
      buffered = buffered.slice(end + 1)
    }
  }
  if (buffered !== '') yield buffered
}
