// SPDX-License-Identifier: MIT
// Everything of the page lives in one function, so that nothing of it is global.
(function () {
'use strict';
