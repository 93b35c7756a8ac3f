const _ = require('lodash');

class Page {
  tools = _;

  render() {
    return this.tools.template('x');
  }
}

new Page().render();
