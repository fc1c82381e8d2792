import { Button, Code, Group, Stack, Tabs, Text } from '@mantine/core'
import { useInterval } from '@mantine/hooks'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useEffect, useState } from 'react'
import { FaultLinkRow } from '../parts/fault-link-row.tsx'
import type { FaultPlace } from '../parts/fault-links.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, count, duration } from '../parts/figures.ts'
import { useCurrentRun } from './current-run.ts'
import { HowItRan } from './how-it-ran.tsx'
import { OutcomeMark } from './outcome-mark.tsx'
import type { Asked, RunState } from './query-run.ts'
import { planText } from './result-rows.ts'
import { ResultTable } from './result-table.tsx'

type Begun = Exclude<RunState, { readonly at: 'idle' }>
const CLOCK_MS = 200

/** What the statement of this tab gave, and how it ran. */
export function ResultView({ stores }: { readonly stores: readonly StoreView[] }) {
  const run = useCurrentRun()
  const [tab, setTab] = useState<string | null>('result')
  if (run.at === 'idle')
    return (
      <Text size="sm" c="dimmed">
        Ctrl-Enter runs the statement. $1, $2, … (in MySQL: ?) stand for values, which are asked for below the editor.
      </Text>
    )
  return (
    <Stack gap="sm">
      <Summary run={run} />
      {run.fault && (
        <FaultNote cause={run.fault}>
          <FaultLinkRow code={run.fault.code} place={placeOf(run.asked, stores)} />
        </FaultNote>
      )}
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="result">Result</Tabs.Tab>
          <Tabs.Tab value="how" disabled={run.id === undefined}>
            How it ran
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="result">
          <Result run={run} />
        </Tabs.Panel>
        <Tabs.Panel value="how">{run.id !== undefined && <HowItRan key={`${run.id} ${run.at}`} id={run.id} />}</Tabs.Panel>
      </Tabs>
    </Stack>
  )
}

const placeOf = ({ store }: Asked, stores: readonly StoreView[]): FaultPlace => ({
  stores: [store],
  gateway: stores.find(({ name }) => name === store)?.gateway,
})

function Summary({ run }: { readonly run: Begun }) {
  const { rows, asked } = run
  return (
    <Group gap="md" role="status">
      <OutcomeMark outcome={run.at} />
      <Text size="sm">{run.tookMs === undefined ? <Elapsed since={run.startedAt} /> : duration(run.tookMs)}</Text>
      {asked.as === 'table' && !asked.isPlan && <Text size="sm">{rowsInWords(rows.length)}</Text>}
      <Text size="sm">{bytes(run.bytes)}</Text>
      {run.node && (
        <Text size="sm" c="dimmed">
          on {run.node}
        </Text>
      )}
    </Group>
  )
}

const rowsInWords = (rows: number) => (rows === 1 ? '1 row' : `${count(rows)} rows`)

function Elapsed({ since }: { readonly since: number }) {
  const [now, setNow] = useState(() => performance.now())
  const { start, stop } = useInterval(() => setNow(performance.now()), CLOCK_MS)
  useEffect(() => {
    start()
    return stop
  }, [start, stop])
  return <>{duration(Math.max(0, now - since))}</>
}

function Result({ run }: { readonly run: Begun }) {
  const { asked, columns, rows, file, at } = run
  if (asked.as !== 'table') return file ? <Download file={file} name={`${asked.store}.${asked.as}`} /> : null
  if (rows.length === 0)
    return at === 'succeeded' ? (
      <Text size="sm" c="dimmed">
        Done. It gave no rows.
      </Text>
    ) : null
  const plan = asked.isPlan ? planText(columns, rows) : undefined
  if (plan !== undefined) return <Plan text={plan} />
  return (
    <Stack gap="xs">
      {at === 'succeeded' && rows.length === asked.maxRows && (
        <Text size="sm" c="dimmed">
          Cut after {rowsInWords(rows.length)}, as was asked: there may be more.
        </Text>
      )}
      <ResultTable names={columns} rows={rows} count={rows.length} />
    </Stack>
  )
}

/** Its lines belong together: branches of a tree, or a drawing. */
function Plan({ text }: { readonly text: string }) {
  return (
    <Code block aria-label="Plan" tabIndex={0} mah="60vh" style={{ overflow: 'auto' }}>
      {text}
    </Code>
  )
}

function Download({ file, name }: { readonly file: Blob; readonly name: string }) {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    const made = URL.createObjectURL(file)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [file])
  return (
    <Group gap="sm">
      <Button component="a" href={url} download={name}>
        Save {name}
      </Button>
      <Text size="sm" c="dimmed">
        {bytes(file.size)}, whole
      </Text>
    </Group>
  )
}
