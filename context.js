// For settings.js: contextStorage: { edge: { module: require('@millwright/node-red-edge/context'), config: {…} } }
module.exports = require('./dist/nodes/context-store/context-store.js');
