/** Calm output: numbered steps with their times; a block of lines that is drawn again in place where there is a terminal. */
const began = performance.now()
const terminal = process.stdout.isTTY === true
const colour = terminal && !process.env['NO_COLOR']
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)

export const bold = paint(1)
export const dim = paint(2)
export const green = paint(32)
export const red = paint(31)

let steps = 0

export function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`
}

export function heading(text: string): void {
  console.log(`\n${bold(text)}`)
}

/** Runs a step under its number and title. */
export async function step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  steps += 1
  console.log(`\n${bold(`${steps}  ${title}`)}  ${dim(`at ${seconds(began)}`)}`)
  return work()
}

export function say(text: string): void {
  for (const line of text.split('\n')) console.log(`   ${line}`)
}

export function command(text: string): void {
  say(dim(`$ npx postern ${text}`))
}

/** Lines that change: drawn in place on a terminal, once at the end elsewhere. */
export class Block {
  #drawn = 0

  draw(lines: readonly string[]): void {
    if (!terminal) return
    const width = (process.stdout.columns ?? 100) - 4
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K   ${clip(line, width)}\n`).join('')}`)
    this.#drawn = lines.length
  }

  end(lines: readonly string[]): void {
    if (terminal) this.draw(lines)
    else say(lines.join('\n'))
  }
}

function clip(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}

export function bar(fraction: number, width = 24): string {
  const full = Math.round(Math.max(0, Math.min(1, fraction)) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
