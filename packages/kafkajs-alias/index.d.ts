export * from 'millrace/kafkajs'
export { default } from 'millrace/kafkajs'
