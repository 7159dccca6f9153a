// One object that may be written to, as the package kafkajs has it.
module.exports = require('millrace/kafkajs').default
