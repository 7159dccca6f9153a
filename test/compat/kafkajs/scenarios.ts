import type { Scenario } from './scenario.js'
import { brokerErrorScenarios } from './scenarios-broker-errors.js'
import { callScenarios } from './scenarios-calls.js'
import { connectionScenarios } from './scenarios-connection.js'
import { messageScenarios } from './scenarios-messages.js'
import { pureScenarios } from './scenarios-pure.js'
import { transactionScenarios } from './scenarios-transactions.js'

/** All comparing scenarios, by what they are about. */
export const scenarioGroups: Readonly<Record<string, readonly Scenario[]>> = {
  'without a cluster': pureScenarios,
  messages: messageScenarios,
  calls: callScenarios,
  'connections, events and logs': connectionScenarios,
  'errors of brokers': brokerErrorScenarios,
  transactions: transactionScenarios,
}
