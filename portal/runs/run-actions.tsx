import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { notifyFault } from '../parts/notify-fault.ts'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { RUN_KEYS } from './run-keys.ts'
import { isActive } from './run-list.ts'

type Again = 'rerun' | 'repair'

/** What a run can be told in its state; the service refuses what it cannot. */
export function RunActions({ run }: { readonly run: RunView }) {
  const [cancelling, { open, close }] = useDisclosure(false)
  const again = useMutation({
    mutationFn: (action: Again) => (action === 'rerun' ? api.runs.rerun(run.id) : api.runs.repair(run.id)),
    onSuccess: (view) => showAnew(view),
    onError: notifyFault,
  })
  const doing = (action: Again) => again.isPending && again.variables === action
  const because = useRights().mayAnywhere('runs:write') ? undefined : 'You may look at runs, and not start them'
  const differs = run.verification.status === 'failed'
  const noRepair = because ?? whyNoRepair(run)
  return (
    <Group gap="xs">
      {isActive(run) && (
        <Button color="red" variant="light" onClick={open}>
          Cancel…
        </Button>
      )}
      {(run.status === 'failed' || run.status === 'cancelled') && (
        <ReasonedButton
          because={because}
          variant={differs ? 'default' : 'filled'}
          onClick={() => again.mutate('rerun')}
          loading={doing('rerun')}
        >
          Run again
        </ReasonedButton>
      )}
      {(run.status === 'succeeded' || (run.status === 'failed' && differs)) && (
        <ReasonedButton
          because={noRepair}
          variant={differs ? 'filled' : 'default'}
          onClick={() => again.mutate('repair')}
          loading={doing('repair')}
        >
          Verify and repair
        </ReasonedButton>
      )}
      <Button variant="default" renderRoot={(props) => <Link to="/copies/new" search={{ like: run.id }} {...props} />}>
        New copy like this
      </Button>
      <Modal opened={cancelling} onClose={close} title="Cancel the run">
        <CancelRun run={run} done={close} />
      </Modal>
    </Group>
  )
}

/** As the service would refuse it of a copy that has succeeded. */
function whyNoRepair({ status, copy }: RunView): string | undefined {
  if (status !== 'succeeded') return undefined
  if (copy.verify === 'none') return 'It was not verified, so nothing tells which parts differ: copy again'
  return copy.watermark === undefined ? undefined : 'The next copy of what is new begins where this one ended: it stays as it is'
}

async function showAnew(view: RunView): Promise<void> {
  queryClient.setQueryData(RUN_KEYS.run(view.id), view)
  await queryClient.invalidateQueries({ queryKey: RUN_KEYS.all })
}

/** Confirmed by the name of the store that it writes into. */
function CancelRun({ run, done }: { readonly run: RunView; readonly done: () => void }) {
  const [typed, setTyped] = useState('')
  const cancel = useMutation({
    mutationFn: () => api.runs.cancel(run.id),
    onSuccess: async (view) => {
      done()
      await showAnew(view)
    },
  })
  return (
    <Stack gap="sm">
      <Text size="sm">
        Its tasks are stopped on every node, and what was written aside is taken away. Rows that were appended to a table stay there. It can
        run again later.
      </Text>
      <TextInput
        label={`Type ${run.copy.sink} to cancel it`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        data-autofocus
      />
      {cancel.error && <FaultNote cause={cancel.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={done}>
          Let it run
        </Button>
        <Button color="red" disabled={typed !== run.copy.sink} loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel the run
        </Button>
      </Group>
    </Stack>
  )
}
