import type { RunView } from '@postern/protocol/api/runs.ts'
import { Facts } from '../parts/facts.tsx'
import { copyWords } from './copy-words.ts'

/** Every option that it was started with. */
export function CopyFacts({ run }: { readonly run: RunView }) {
  return <Facts facts={copyWords(run.copy, run.lane, run.guarantee)} />
}
