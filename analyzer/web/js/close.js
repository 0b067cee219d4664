
start();
}());
